"""The seed graph: whether it holds what the founding text says, each statement with its line, and nothing private."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl
import pytest
from rdflib import Dataset

from graphkit.files import ontology_folder
from graphkit.ontology import load_ontology, load_sources
from graphkit.store import Store, open_store
from graphkit.terms import GRAPH, ID, PREFIXES, SOL

LINES: Final = 66
PRIVATE_LINES: Final = frozenset(range(41, 45))
HEADINGS: Final = frozenset({59, 63})
VOCABULARY: Final = PREFIXES["voc"]
FOREIGN: Final = "".join(f"PREFIX {name}: <{space}>\n" for name, space in PREFIXES.items())
WORDS: Final = "".join(
    f"PREFIX {kind}: <{ID}{kind}/>\n"
    for kind in ("activity", "commitment", "group", "organisation", "place", "policy", "scope", "sector", "source")
)

BODIES = (
    "Social Enterprise Link (Wessex) CIC",
    "Co-operative Group",
    "Stagecoach",
    "South West Trains",
    "Social Enterprise Zone",
    "ERIS",
    "Credit Union Support Organisation UK",
    "Social Enterprise Opportunities Platform",
    "Wessex consortium",
    "Southampton consortium",
    "Wessex Solidarity Economy Network",
    "Social Enterprise Consortia for Health (Wessex)",
    "SECOM",
    "John Lewis",
    "Liverpool Victoria",
    "ACTid",
    "Heritage Lottery Fund",
    "Social Enterprise UK",
    "EPSCO Council",
    "Council of the European Union",
    "European Parliament",
    "Social Economy Intergroup",
    "European Institute for Local Development",
    "European Economic and Social Committee",
    "Mondragon Corporation",
    "Move Your Business",
    "United Nations",
    "Department for Transport",
    "European Commission",
)
PLACES = (
    "Wessex",
    "Solent",
    "Southampton",
    "Dorset",
    "West Howe",
    "Scotland",
    "Wales",
    "Northern Ireland",
    "North Rhine-Westphalia",
    "Basque region",
    "Mondragon",
    "Brussels",
    "Rome",
    "Europe",
    "Spain",
    "United Kingdom",
)
POLICIES = (
    "Rome Strategy",
    "Council conclusions on the social economy, 2015",
    "Public procurement directive",
    "Sustainable Development Goals",
    "Devolution",
)
MONEY = (
    "Awards for All",
    "European Structural Funds",
    "Grants of the Heritage Lottery Fund",
    "South West Trains franchise",
    "Corporate Challenge",
)
ACTIVITIES = {
    "Report on co-operative, trade union and credit union collaboration": "completed",
    "Presentation on co-operative, trade union and credit union collaboration": "completed",
    "Conference on co-operative, trade union and credit union collaboration": "completed",
    "Research and development on social value for the South West Trains franchise": "completed",
    "Stagecoach's bid for the South West Trains franchise": "completed",
    "Application for the Social Enterprise Zone": "completed",
    "Co-ordination of the Social Enterprise Zone": "ongoing",
    "An Alternative Economy is Possible": "completed",
    "Development of the Social Enterprise Opportunities Platform": "planned",
    "Development of Credit Union Support Organisation UK": "planned",
    "Development of a Wessex consortium": "planned",
    "Development of a Southampton consortium": "planned",
    "Development of other consortia": "planned",
    "Development of the Wessex Solidarity Economy Network": "planned",
    "Search for bids and commissions together with members": "ongoing",
    "History of Social Enterprise in the Solent Area": "bid",
    "Developing Social Value Together": "bid",
    "Bid in the Corporate Challenge": "bid",
    "Barriers and Building Blocks research project": "planned",
    "South West Trains Franchise Social Enterprise Partnership": "unknown",
    "Development of the West Howe Social Enterprise Park": "ongoing",
    "Development of Social Enterprise Consortia for Health (Wessex)": "unknown",
    "Consultation on co-operative working across SECOM": "ongoing",
    "Development of an arts consortium for Dorset": "unknown",
    "Exploratory feasibility forums": "proposed",
    "EPSCO Council meeting of 7 December 2015": "completed",
    "First international conference of the European Institute for Local Development": "completed",
    "Public hearing of the Social Economy Intergroup, January 2016": "completed",
    "Visit to Mondragon": "completed",
    "Pilot project in North Rhine-Westphalia": "completed",
    "Pilot project in the wider Basque region": "completed",
    "Visit to the European Economic and Social Committee": "completed",
    "Rome conference on the social economy, November 2014": "completed",
    "Bid of FirstGroup and MTR for the South Western franchise": "completed",
}
OUTPUTS = {
    "Co-operatives, trade unions and credit unions: a report": "completed",
    "Research and development action report for Stagecoach's franchise tender": "completed",
    "Report of the visit to Mondragon": "completed",
    "Report of the visit to the European Economic and Social Committee": "completed",
    "Map of solidarity economy organisations": "planned",
    "A report for each region of the research": "planned",
    "An action plan for each region of the research": "planned",
    "Experimental research projects": "planned",
    "EU Social Economy Gateway": "active",
}
IN_THE_MAKING = {
    "Credit Union Support Organisation UK": "planned",
    "Social Enterprise Opportunities Platform": "planned",
    "Wessex consortium": "planned",
    "Southampton consortium": "planned",
    "Social Enterprise Consortia for Health (Wessex)": "planned",
    "ACTid": "planned",
    "West Howe Social Enterprise Park": "planned",
    "Wessex Solidarity Economy Network": "proposed",
    "SECOM": "proposed",
}
SCHEMES = {
    "org:classification": {"kind"},
    "adms:status": {"status"},
    "m8g:role": {"role"},
    "dcterms:subject": {"theme"},
    "dcterms:type": {"activity-kind", "policy-kind", "kind"},
    "sol:evaluatedBy": {"measure"},
    "sol:method": {"method"},
    "sol:partnershipMode": {"partnership-mode"},
    "sol:datePrecision": {"precision"},
    "sol:stance": {"stance"},
    "sol:codeList": {"code-list"},
    "sol:includesKind": {"kind"},
    "sol:coreKind": {"kind"},
    "sol:widerKind": {"kind"},
}


@pytest.fixture(scope="module")
def seed() -> Iterator[Store]:
    """Load the ontology and the seed graph into memory; no rule has run yet."""
    store = open_store()
    with store.change("the seed graph") as change:
        load_ontology(change)
        load_sources(change)
    yield store
    store.close()


def ask(store: Store, pattern: str, head: str = "*") -> pl.DataFrame:
    """Answer a pattern, with the names of the house as prefixes."""
    return store.select(f"{FOREIGN}{WORDS}SELECT DISTINCT {head} WHERE {{ {pattern} }}")


def labels(store: Store, pattern: str) -> set[str]:
    """Return the labels of what a pattern calls ?thing, in the two graphs of the seed."""
    frame = ask(store, f"{{ {pattern} }} ?thing rdfs:label ?label FILTER(STRSTARTS(STR(?thing), '{ID}'))", "?label")
    return set(frame["label"])


def statuses(store: Store, pattern: str) -> dict[str, str]:
    """Return the label and the status of what a pattern calls ?thing."""
    frame = ask(store, f"{pattern} ?thing rdfs:label ?label ; adms:status ?status", "?label ?status")
    return {label: status.rpartition("/")[2] for label, status in frame.iter_rows()}


class TestCoverage:
    """That all that the text names is there."""

    @pytest.mark.parametrize(
        ("pattern", "expected"),
        [
            ("VALUES ?class { org:Organization org:OrganizationalCollaboration } ?thing a ?class", BODIES),
            ("?thing a sol:Region", PLACES),
            ("?thing a sol:Policy", POLICIES),
            ("VALUES ?class { schema:FundingScheme sol:Opportunity } ?thing a ?class", MONEY),
        ],
        ids=["bodies", "places", "policies", "money"],
    )
    def test_what_is_named_is_found_by_its_label(self, seed: Store, pattern: str, expected: tuple[str, ...]) -> None:
        """Each body, place, policy, fund and opportunity of the list has a resource of that label."""
        assert set(expected) - labels(seed, pattern) == set()

    def test_each_activity_has_its_status(self, seed: Store) -> None:
        """The activities are those of the list, no more and no fewer, each with the status that the sources give."""
        assert statuses(seed, "VALUES ?c { sol:Activity sol:Event sol:Bid } ?thing a ?c .") == ACTIVITIES

    def test_each_output_has_its_status(self, seed: Store) -> None:
        """Reports that were written are completed; what the research is to produce is planned."""
        assert statuses(seed, "?thing a prov:Entity , ?class . FILTER(?class != sol:Source)") == OUTPUTS

    def test_what_is_in_the_making_is_not_active(self, seed: Store) -> None:
        """Organisations that are planned or proposed are exactly those that the text plans or proposes."""
        found = statuses(
            seed, "?thing org:classification|dcterms:subject ?any . ?thing a ?c FILTER(?c != sol:Activity)"
        )
        organisations = labels(seed, "?thing a org:Organization") | labels(
            seed, "?thing a org:OrganizationalCollaboration"
        )
        making = {name: found[name] for name in organisations if found.get(name) in {"planned", "proposed"}}
        assert making == IN_THE_MAKING

    def test_there_are_at_least_sixty_organisations(self, seed: Store) -> None:
        """Organisations, bodies, counted groups and networks in the making are sixty or more in all."""
        classes = "org:Organization org:OrganizationalCollaboration sol:OrganisationGroup"
        assert len(labels(seed, f"VALUES ?class {{ {classes} }} ?thing a ?class")) >= 60

    def test_the_eight_of_west_howe_stay_one_group(self, seed: Store) -> None:
        """Eight unnamed organisations are a group with a count that helps the park along, and not eight names."""
        group = (
            "group:west-howe-organisations sol:memberCount ?count . ?p sol:participant group:west-howe-organisations ;"
        )
        found = ask(
            seed, f"{group} sol:participatesIn activity:west-howe-park-development ; m8g:role ?role", "?count ?role"
        )
        assert found.rows() == [(8, f"{VOCABULARY}role/facilitator")]

    def test_those_asked_about_secom_are_only_consulted(self, seed: Store) -> None:
        """To be asked is no membership."""
        pattern = "?p sol:participatesIn activity:secom-consultation ; sol:participant/rdfs:label ?who ; m8g:role ?role"
        roles = {who: role.rpartition("/")[2] for who, role in ask(seed, pattern, "?who ?role").iter_rows()}
        assert roles == {
            "Co-operative Group": "consulted",
            "John Lewis": "consulted",
            "Liverpool Victoria": "consulted",
            "Social Enterprise Link (Wessex) CIC": "lead",
        }

    def test_the_agenda_has_six_objectives(self, seed: Store) -> None:
        """Lines 30 to 35 give the proposed network one objective each."""
        pattern = f"""?statement rdf:subject organisation:wessex-solidarity-economy-network ;
            rdf:predicate sol:pursues ; rdf:object ?objective ; prov:wasDerivedFrom/sol:line ?line
            FILTER(?line >= 30 && ?line <= 35)
            GRAPH <{GRAPH}wessex-text> {{ ?objective a sol:Objective }}"""
        assert sorted(ask(seed, pattern, "?objective ?line")["line"]) == [30, 31, 32, 33, 34, 35]

    def test_the_measures_are_fourteen_and_two(self, seed: Store) -> None:
        """Line 12 lists fourteen measures; line 13 asks for accountability and for engagement as well."""
        pattern = """?statement rdf:subject sector:solidarity-economy ; rdf:predicate sol:evaluatedBy ;
            rdf:object ?measure ; prov:wasDerivedFrom/sol:line ?line"""
        found = ask(seed, pattern, "?measure ?line")
        assert dict(found.group_by("line").len().iter_rows()) == {12: 14, 13: 2}

    def test_the_definition_has_a_core_and_a_wider_sense(self, seed: Store) -> None:
        """Eight kinds are at the core; public bodies of every level belong in the wider sense."""
        pattern = "?thing a sol:Definition ; {} ?kind"
        core = {kind.rpartition("/")[2] for kind in ask(seed, pattern.format("sol:coreKind"), "?kind")["kind"]}
        wider = {kind.rpartition("/")[2] for kind in ask(seed, pattern.format("sol:widerKind"), "?kind")["kind"]}
        assert {"cooperative", "mutual", "trade-union", "trading-charity"} < core
        assert len(core) == 8
        assert wider == {"public-body", "international-body", "national-body", "regional-body", "local-authority"}

    def test_claims_speak_of_barriers_and_of_building_blocks(self, seed: Store) -> None:
        """Every claim of the text is coded, and both sides have several."""
        found = ask(seed, "?claim a sol:Claim ; schema:about ?about ; sol:claimant ?who ; sol:stance ?stance")
        schemes = found["about"].str.extract("vocabulary/([^/]+)/").value_counts()
        counts = dict(schemes.iter_rows())
        assert found.height == ask(seed, "?claim a sol:Claim").height
        assert set(counts) == {"barrier", "building-block"}
        assert min(counts.values()) >= 7


class TestPolicies:
    """Who promised what, since when, and which query follows it."""

    def test_the_four_commitments_are_whole(self, seed: Store) -> None:
        """Each has its number, its maker, its beginning, its review period and its query."""
        pattern = """?commitment m8g:isDerivedFrom policy:rome-strategy ; dcterms:identifier ?number ;
            sol:committedBy ?who ; schema:startDate ?since ;
            sol:monitoredBy ?query ; sol:reviewMonths ?months ; dcterms:subject ?theme"""
        found = ask(seed, pattern).sort("number")
        names = [query.rpartition("/query/")[2] for query in found["query"]]
        assert found["number"].to_list() == ["2.1", "2.2", "2.3", "2.4"]
        assert names == [
            "monitor/recognition",
            "monitor/procurement",
            "monitor/partnerships",
            "monitor/structural-funds",
        ]
        assert {day.year for day in found["since"]} == {2014}

    def test_the_monitoring_is_ours_and_not_the_texts(self, seed: Store) -> None:
        """Queries, review periods and completeness scopes stand in our own graph only."""
        pattern = "GRAPH ?graph { ?s sol:monitoredBy|sol:reviewMonths|sol:scopeSource ?o }"
        assert set(ask(seed, pattern, "?graph")["graph"]) == {f"{GRAPH}context", f"{GRAPH}action-plan-2021"}

    def test_legal_texts_have_their_official_address(self, seed: Store) -> None:
        """The directive and the regulation carry their European Legislation Identifier."""
        found = set(ask(seed, "?policy a eli:LegalResource ; rdfs:seeAlso ?address", "?address")["address"])
        assert found == {
            f"http://data.europa.eu/eli/{text}/oj" for text in ("dir/2014/24", "reg/2013/1303", "C/2023/1344")
        }

    def test_every_scope_says_its_period_and_its_doubt(self, seed: Store) -> None:
        """A declaration that a source is complete has a beginning, an end and a comment on why it may be wrong."""
        pattern = """?scope a sol:CompletenessScope ; sol:scopeSource ?source ; sol:scopePredicate ?what ;
            sol:scopeSubject ?of ; schema:startDate ?start ; schema:endDate ?end ; rdfs:comment ?doubt"""
        found = ask(seed, pattern)
        assert set(found["what"]) == {f"{SOL}participatesIn", f"{SOL}monitoredBy"}
        assert all("doubt" in comment for comment in found["doubt"])

    def test_wessex_is_approximated_with_stated_doubt(self, seed: Store) -> None:
        """Each area that stands for Wessex has a mapping with a confidence below 1 and a reason."""
        pattern = """place:wessex sol:approximatedBy ?area . ?area sol:placeCode ?code
            OPTIONAL { ?mapping a sssom:Mapping ; owl:annotatedSource place:wessex ; owl:annotatedTarget ?area ;
                sssom:confidence ?confidence ; rdfs:comment ?why }"""
        found = ask(seed, pattern)
        assert set(found["code"]) == {"UKJ3", "UKK21", "UKK22", "UKK15", "UKK23"}
        assert found["why"].null_count() == 0
        assert found["confidence"].is_between(0, 1, closed="none").all()
        assert found["confidence"].n_unique() > 1


class TestProvenance:
    """That each statement can be traced."""

    def test_each_statement_of_the_text_has_its_line(self, seed: Store) -> None:
        """All but the description of the source itself comes from a line of the text."""
        said = ask(seed, f"GRAPH <{GRAPH}wessex-text> {{ ?s ?p ?o }} FILTER(?s != source:wessex-text)")
        traced = f"""GRAPH <{GRAPH}wessex-text> {{ ?s ?p ?o }}
            GRAPH <{GRAPH}wessex-text/passages> {{ ?statement rdf:subject ?s ; rdf:predicate ?p ;
                rdf:object ?o ; prov:wasDerivedFrom ?passage . ?passage sol:line ?line }}"""
        found = ask(seed, traced)
        assert said.height > 900
        assert found.select("s", "p", "o").unique().height == said.height
        assert found["line"].is_between(1, LINES).all()

    def test_each_line_is_used_but_headings_and_contacts(self, seed: Store) -> None:
        """No line is passed over in silence: what is unused is a heading or somebody's contact details."""
        used = set(ask(seed, f"GRAPH <{GRAPH}wessex-text/passages> {{ ?passage sol:line ?line }}", "?line")["line"])
        assert set(range(1, LINES + 1)) - used == PRIVATE_LINES | HEADINGS

    def test_each_statement_of_the_context_has_its_source(self, seed: Store) -> None:
        """What the text does not say comes from a passage with an address where it can be looked up."""
        own = "FILTER NOT EXISTS { ?s a sol:Passage } FILTER(?s != source:context)"
        said = ask(seed, f"GRAPH <{GRAPH}context> {{ ?s ?p ?o }} {own}", "?s ?p ?o")
        traced = f"""GRAPH <{GRAPH}context> {{ ?s ?p ?o }} ?statement rdf:subject ?s ; rdf:predicate ?p ;
            rdf:object ?o ; prov:wasDerivedFrom ?passage .
            ?passage dcterms:isPartOf source:context ; dcterms:source ?address {own}"""
        assert ask(seed, traced, "?s ?p ?o").height == said.height

    def test_a_statement_of_several_lines_names_them_all(self, seed: Store) -> None:
        """The proposed network is spoken of in lines 10, 22, 23 and 40."""
        pattern = """?statement rdf:subject organisation:wessex-solidarity-economy-network ; rdf:predicate rdf:type ;
            prov:wasDerivedFrom/sol:line ?line"""
        assert sorted(ask(seed, pattern, "?line")["line"]) == [10, 22, 23, 40]


class TestForm:
    """That the graph is whole and speaks the words of the ontology."""

    @pytest.mark.filterwarnings(
        "ignore:(Dataset|ConjunctiveGraph).* is deprecated:DeprecationWarning"
    )  # rdflib of itself
    @pytest.mark.parametrize("name", ["wessex-text", "context", "action-plan-2021"])
    def test_both_parsers_read_the_same(self, name: str) -> None:
        """What the store reads from a source, rdflib reads as well."""
        path = ontology_folder() / "data" / f"{name}.trig"
        store = open_store()
        with store.change("read") as change:
            read = change.load(path)
        store.close()
        dataset = Dataset()
        dataset.parse(data=path.read_text("utf-8"), format="trig")
        assert sum(1 for _ in dataset.quads()) == read

    def test_each_thing_has_one_label_and_a_type(self, seed: Store) -> None:
        """Whatever is used in the data's namespace is described, under one name."""
        used = f"""{{ ?thing ?p ?o }} UNION {{ ?s ?p ?thing }} FILTER(STRSTARTS(STR(?thing), "{ID}"))
            FILTER(!REGEX(STR(?thing), "/id/(statement|passage|participation)/"))
            OPTIONAL {{ ?thing rdfs:label ?label }} OPTIONAL {{ ?thing a ?type }}"""
        sources = " ".join(f"FROM <{GRAPH}{name}>" for name in ("wessex-text", "context", "action-plan-2021"))
        found = seed.select(f"{FOREIGN}SELECT DISTINCT ?thing ?label ?type {sources} WHERE {{ {used} }}")
        counts = found.group_by("thing").agg(pl.col("label").n_unique(), pl.col("label").null_count().alias("none"))
        assert found.filter(pl.col("type").is_null())["thing"].to_list() == []
        assert counts.filter((pl.col("label") != 1) | (pl.col("none") > 0))["thing"].to_list() == []

    def test_each_participation_is_whole(self, seed: Store) -> None:
        """It has one participant, one activity and one role, and its name says the first two."""
        pattern = """?node a sol:Participation OPTIONAL { ?node sol:participant ?who }
            OPTIONAL { ?node sol:participatesIn ?what } OPTIONAL { ?node m8g:role ?role }"""
        found = ask(seed, pattern).with_columns(pl.col("who", "what", "node").str.extract("([^/]+)$"))
        assert sum(found.null_count().row(0)) == 0
        assert found["node"].n_unique() == found.height
        assert found.filter(pl.col("node") != pl.concat_str("what", pl.lit("-"), "who"))["node"].to_list() == []

    @pytest.mark.parametrize("name", SCHEMES)
    def test_values_come_from_their_scheme(self, seed: Store, name: str) -> None:
        """A property that asks for a concept has one, of its own vocabulary."""
        found = ask(seed, f"GRAPH ?g {{ ?s {name} ?value }} FILTER(STRSTARTS(STR(?s), '{ID}'))", "?value")["value"]
        known = set(ask(seed, "?concept skos:inScheme ?scheme", "?concept")["concept"])
        assert set(found) - known == set()
        assert {value.removeprefix(VOCABULARY).partition("/")[0] for value in found} <= SCHEMES[name]

    def test_every_date_says_how_exact_it_is(self, seed: Store) -> None:
        """An activity or a commitment with a date has one precision."""
        pattern = """?thing schema:startDate|schema:endDate ?day
            FILTER NOT EXISTS { ?thing a sol:CompletenessScope }
            FILTER NOT EXISTS { ?thing a sol:Indicator }
            FILTER NOT EXISTS { ?thing a schema:ExchangeRateSpecification }
            FILTER NOT EXISTS { ?thing sol:datePrecision ?precision }"""
        assert ask(seed, pattern, "?thing").height == 0


class TestPrivacy:
    """That nobody's private details are kept, and no sentence of the text."""

    def test_the_one_person_is_a_public_host(self, seed: Store) -> None:
        """Only the office holder who received a visit stands in the graph."""
        pattern = "?person a foaf:Person ; rdfs:label ?name . ?p sol:participant ?person ; m8g:role ?role"
        assert ask(seed, pattern, "?name ?role").rows() == [("George Dassis", f"{VOCABULARY}role/host")]

    def test_there_is_no_mail_address_and_no_telephone_number(self) -> None:
        """Neither the sources nor their description hold what looks like a way to reach a private person."""
        contact = re.compile(r"[\w.+-]+@[\w-]+\.\w+|mailto:|tel:|(?<![\d/.-])(?:\+44|0)[\d ()]{8,}\d")
        for path in sorted((ontology_folder() / "data").iterdir()):
            assert contact.findall(path.read_text("utf-8")) == [], path.name

    @pytest.mark.real
    def test_no_sentence_of_the_text_is_copied(self, seed: Store) -> None:
        """No eight words in a row of the text stand anywhere in the ontology folder, but for titles and names."""
        exempt = ask(
            seed, f"?thing dcterms:title|skos:altLabel ?title FILTER(STRSTARTS(STR(?thing), '{ID}'))", "?title"
        )
        copied = _windows(_founding_text(), [])
        titles = sorted(exempt["title"], key=len, reverse=True)
        files = [path for path in ontology_folder().rglob("*") if path.is_file()]
        found = {path.name: copied & _windows(path.read_text("utf-8"), titles) for path in files}
        assert {name: shared for name, shared in found.items() if shared} == {}
        assert len(files) > 30


def _founding_text() -> str:
    """Return the text that the graph was made from; it lies beside the real registers and not in the project."""
    root = Path(__file__).parents[2]
    folder = Path(os.environ.get("GRAPHKIT_REAL_DATA", root / "shared" / "data")).parent / "seeds"
    texts = [path.read_text("utf-8") for path in sorted(folder.glob("*.txt"))]
    texts = [text for text in texts if len(text.splitlines()) == LINES and "Wessex" in text]
    if not texts:
        pytest.skip(f"the founding text is not in {folder}; set GRAPHKIT_REAL_DATA to the folder beside it")
    return texts[0]


def _windows(text: str, titles: list[str], size: int = 8) -> set[tuple[str, ...]]:
    """Return all runs of `size` words of a text, with a break where a title stood."""
    for title in titles:
        text = text.replace(title, " | ")
    words = re.findall(r"[a-z0-9]+|\|", re.sub("['’]", "", text.lower()))
    runs = zip(*(words[start:] for start in range(size)), strict=False)
    return {run for run in runs if "|" not in run}
