"""Barriers and building blocks: claims from coded spreadsheets, the matrix of regions and themes, answers elsewhere."""

from __future__ import annotations

from graphkit.barriers.coding import COLUMNS, Coded, claims_from, code, read_sheet
from graphkit.barriers.matrix import SMALLEST_CELL, answers, matrix

__all__ = ["COLUMNS", "SMALLEST_CELL", "Coded", "answers", "claims_from", "code", "matrix", "read_sheet"]
