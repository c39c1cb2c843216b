"""The blueprint that all pages belong to, and the words that their templates may use for numbers and money."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from urllib.parse import urlencode

from flask import Blueprint, request
from flask.blueprints import BlueprintSetupState

from webui.i18n.choosing import gettext, number
from webui.links import place_words

__all__ = ["blueprint", "here"]

blueprint = Blueprint("pages", __name__)


@blueprint.record
def _offer_words(setup: BlueprintSetupState) -> None:
    words = setup.app.jinja_env
    words.filters.update(money=money, share=share, place_words=place_words)
    words.globals.update(here=here)


def money(value: Decimal | float | None, currency: str | None = "") -> str:
    """Write an amount with its currency, without cents from a thousand on; None is "not known".

    >>> money(Decimal("5000.00"), "GBP"), money(Decimal("12.5"), "EUR"), money(None)
    ('5,000 GBP', '12.50 EUR', 'not known')
    """
    if value is None:
        return gettext("not known")
    whole = float(value).is_integer() or abs(float(value)) >= 1000  # noqa: PLR2004 - cents say nothing beside thousands
    return f"{number(float(value), 0 if whole else 2)} {currency or ''}".strip()


def share(known: int, total: int) -> str:
    """Write a share as a whole percentage; "0 %" and "100 %" only where they are exact.

    >>> share(1, 3), share(999, 1000), share(0, 0)
    ('33 %', '99 %', '–')
    """
    if not total:
        return "–"
    percent = 100 if known == total else min(max(round(100 * known / total), 1 if known else 0), 99)
    return f"{percent} %"


def here(**changes: str | int | None) -> str:
    """Return the address of the present page with some parameters changed, None taking one away.

    A change of anything but the page leads to the first page of a list.
    """
    kept: dict[str, list[str]] = request.args.to_dict(flat=False)
    if not all(name.endswith("page") for name in changes):
        kept = {name: values for name, values in kept.items() if not name.endswith("page")}
    for name, value in changes.items():
        kept.pop(name, None)
        if value is not None:
            kept[name] = [str(value)]
    return _address(kept)


def _address(arguments: Mapping[str, list[str]]) -> str:
    path = request.script_root + request.path
    return f"{path}?{urlencode(arguments, doseq=True)}" if arguments else path
