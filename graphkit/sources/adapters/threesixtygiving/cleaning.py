"""Cleans 360Giving grants: numbers of recipients as org-id, readable names, and no names of private persons."""

import polars as pl

from graphkit.sources.names import mended, readable

_OFFICIAL = r"^(?:[A-Z]{2}|XI|XR|XM)-[A-Z]+-.+$"
_PERSON = "Individual"


def _column(frame: pl.DataFrame, name: str) -> pl.Expr:
    """Return a column, or nothing where the file has none."""
    return pl.col(name).str.strip_chars() if name in frame.columns else pl.lit(None, pl.String)


def _official(identifier: pl.Expr) -> pl.Expr:
    return pl.when(identifier.str.contains(_OFFICIAL)).then(identifier)


def _company(number: pl.Expr) -> pl.Expr:
    plain = number.str.to_uppercase().str.replace_all(r"\s", "")
    digits = pl.when(plain.str.contains("^[0-9]{5,7}$")).then(plain.str.zfill(8)).otherwise(plain)
    return pl.when(digits.str.contains("^[A-Z]{0,2}[0-9]{4,8}R?$")).then(pl.lit("GB-COH-") + digits)


def _charity(number: pl.Expr) -> pl.Expr:
    plain = number.str.to_uppercase().str.replace_all(r"\s", "")
    return (
        pl.when(plain.str.contains("^[0-9]{6,7}$"))
        .then(pl.lit("GB-CHC-") + plain)
        .when(plain.str.contains("^SC[0-9]{6}$"))
        .then(pl.lit("GB-SC-") + plain)
        .when(plain.str.contains("^(?:NIC)?1[0-9]{5}$"))
        .then(pl.lit("GB-NIC-") + plain.str.strip_prefix("NIC"))
    )


def clean(frame: pl.DataFrame) -> pl.DataFrame:
    """Add what the mapping needs and the file does not say in one column."""
    person = (_column(frame, "organisation_type") == _PERSON).fill_null(value=False) | _column(
        frame, "person_id"
    ).is_not_null()
    known = pl.coalesce(_column(frame, "recipient_id"), _column(frame, "person_id"))
    name, label = mended(_column(frame, "recipient_name")), readable(_column(frame, "recipient_name"))
    title, programme = mended(_column(frame, "title")), mended(_column(frame, "programme"))
    postcode = _column(frame, "recipient_postcode").str.to_uppercase()
    number = pl.lit("Grant ") + _column(frame, "identifier")
    return frame.with_columns(
        recipient=pl.when(person).then(pl.lit("person-") + _column(frame, "identifier")).otherwise(known),
        recipient_label=pl.when(person).then(pl.lit("A private person")).otherwise(label),
        recipient_other=pl.when(~person & (name != label)).then(name),
        recipient_postcode=pl.when(~person).then(postcode),
        recipient_town=pl.when(~person).then(mended(_column(frame, "recipient_town"))),
        recipient_site=pl.when(~person).then(_column(frame, "recipient_site")),
        label=pl.when(person).then(number).otherwise(pl.coalesce(title, number)),
        company=_company(_column(frame, "company_number")),
        charity=_charity(_column(frame, "charity_number")),
        own_number=_official(_column(frame, "recipient_id")),
        funder_number=_official(_column(frame, "funder")),
        funder_name=mended(_column(frame, "funder_name")),
        programme_label=programme,
        programme_whole=pl.concat_str(_column(frame, "funder"), programme, separator=" "),
    )
