"""Starts and ends Spark, hands tables over, and translates its errors: the one door to pyspark."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import polars as pl

from graphkit.errors import DataError, GraphkitError, MissingExtraError, UsageError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

__all__ = [
    "Frame",
    "Session",
    "collected",
    "expression",
    "handed_over",
    "kept",
    "quoted",
    "read_table",
    "session",
    "smallest",
    "translated",
]

Frame: TypeAlias = "DataFrame"
"""A table that is spread over the machines of a Spark session."""

Session: TypeAlias = "SparkSession"
"""The connection to Spark."""

_log = logging.getLogger(__name__)
_INSTALL: Final = "pip install 'solidarity-graphkit[spark]'"
_LOOPBACK: Final = "127.0.0.1"
_QUIET: Final = """\
rootLogger.level = error
rootLogger.appenderRef.stderr.ref = stderr
appender.stderr.type = Console
appender.stderr.name = stderr
appender.stderr.target = SYSTEM_ERR
appender.stderr.layout.type = PatternLayout
appender.stderr.layout.pattern = spark %p %c{1}: %m%n
"""
_TYPES: Final[Mapping[str, Any]] = {
    "string": pl.String,
    "double": pl.Float64,
    "int": pl.Int64,
    "bigint": pl.Int64,
    "date": pl.Date,
}
_SPARK_TYPES: Final[Mapping[Any, str]] = {
    pl.String: "string",
    pl.Float64: "double",
    pl.Int32: "int",
    pl.Int64: "bigint",
    pl.Date: "date",
}


@contextmanager
def session(master: str | None = None, *, settings: Mapping[str, str] | None = None) -> Iterator[Session]:
    """Start Spark, and stop it at the end.

    On this machine Spark listens on the loopback address alone, has no page of its own, and logs errors only. A
    session that is already active in this process is used as it is and not stopped.

    Parameters
    ----------
    master : str, optional
        Where Spark runs, such as `local[2]` or `spark://host:7077`. By default what `spark-submit` says, else all
        cores of this machine.
    settings : mapping, optional
        Further Spark settings by name, such as `{"spark.driver.memory": "8g"}`.

    Raises `MissingExtraError` where pyspark or Java is absent, `UsageError` where the master is none.
    """
    sql = _pyspark()
    active = sql.SparkSession.getActiveSession()
    if active is not None:
        yield active
        return
    _check_java()
    with tempfile.TemporaryDirectory(prefix="graphkit-spark-") as folder:
        started = _started(sql, _settings(master, Path(folder)) | dict(settings or {}))
        _log.info("Spark %s on %s", started.version, started.sparkContext.master)
        try:
            yield started
        finally:
            started.stop()


def expression(text: str) -> Column:
    """Return a column of Spark from its SQL."""
    column: Column = import_module("pyspark.sql.functions").expr(text)
    return column


def smallest(frame: Frame) -> Frame:
    """Mark a table as small enough for every machine to hold a copy."""
    return frame.hint("broadcast")


def kept(frame: Frame) -> Frame:
    """Compute a table now and keep its rows, so that what is built on it has a short plan.

    In the checkpoint folder where one is set (`spark.checkpoint.dir`), else with the executors: then the loss of one
    fails the run, and it has to be repeated.
    """
    with translated():
        durable = frame.sparkSession.sparkContext.getCheckpointDir()
        return frame.checkpoint() if durable else frame.localCheckpoint()


def handed_over(spark: Session, frame: pl.DataFrame) -> Frame:
    """Hand a frame over to Spark with its columns and their types.

    On this machine through a Parquet file in the session's folder, to a cluster row by row: for a large table name a
    file that the cluster can read instead.
    """
    folder = spark.conf.get("spark.graphkit.folder", None)
    if folder:
        handle, path = tempfile.mkstemp(suffix=".parquet", dir=folder)
        os.close(handle)
        frame.write_parquet(path)
        return spark.read.parquet(path)
    schema = ", ".join(f"`{name}` {_SPARK_TYPES[kind]}" for name, kind in frame.schema.items())
    return spark.createDataFrame(frame.rows(), schema)


def collected(frame: Frame) -> pl.DataFrame:
    """Bring a table that fits on this machine back as a frame."""
    with translated():
        rows: Iterable[tuple[object, ...]] = [tuple(row) for row in frame.collect()]
        schema = {name: _TYPES[kind] for name, kind in frame.dtypes}
    return pl.DataFrame(rows, schema=schema, orient="row")


def read_table(spark: Session, path: str) -> Frame:
    """Read a Parquet or CSV file (with a line of names), or a folder of them, wherever the cluster finds it.

    Raises `DataError` where there is none, or where it cannot be read.
    """
    with translated(path):
        if path.rstrip("/").endswith((".csv", ".csv.gz")):
            return spark.read.csv(path, header=True)
        return spark.read.parquet(path)


@contextmanager
def translated(where: str = "") -> Iterator[None]:
    """Raise what Spark raises as an error of ours: `DataError` for a table it cannot read, else `GraphkitError`."""
    errors, protocol = import_module("pyspark.errors"), import_module("py4j.protocol")
    try:
        yield
    except errors.AnalysisException as error:
        raise DataError("Spark cannot read the table", where=where, hint=_first_line(error)) from error
    except (errors.PySparkException, protocol.Py4JError, ConnectionError) as error:
        raise GraphkitError(f"Spark failed: {_first_line(error)}", where=where, hint="its log says more") from error


def quoted(day: date) -> str:
    """Write a day as SQL."""
    return f"DATE '{day.isoformat()}'"


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _pyspark() -> ModuleType:
    try:
        return import_module("pyspark.sql")
    except ImportError as error:
        raise MissingExtraError("the engine spark needs the library pyspark", hint=_INSTALL) from error


def _check_java() -> None:
    """Raise a `MissingExtraError` where Spark would find no Java: it looks in JAVA_HOME, and else on the PATH."""
    home = os.environ.get("JAVA_HOME")
    if not shutil.which("java", path=str(Path(home, "bin")) if home else None):
        raise MissingExtraError(
            "the engine spark needs Java, and there is none",
            where=f"JAVA_HOME={home}" if home else "the PATH, for JAVA_HOME is not set",
            hint="install Java 17 or 21, such as the package openjdk-17-jre-headless, or set JAVA_HOME",
        )


def _settings(master: str | None, folder: Path) -> dict[str, str]:
    """Return the settings for a master; those of `spark-submit` hold where nobody names one."""
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    if master is None and submitted:
        return {}
    place = master or "local[*]"
    if not place.startswith("local"):
        return {"spark.master": place, "spark.ui.showConsoleProgress": "false"}
    (folder / "log4j2.properties").write_text(_QUIET, "utf-8")
    return {
        "spark.master": place,
        "spark.driver.host": _LOOPBACK,
        "spark.driver.bindAddress": _LOOPBACK,
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile=file:{folder / 'log4j2.properties'}",
        "spark.executor.extraJavaOptions": f"-Dlog4j2.configurationFile=file:{folder / 'log4j2.properties'}",
        "spark.local.dir": str(folder),
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.maxPlanStringLength": "10000",
        "spark.sql.shuffle.partitions": "8",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.graphkit.folder": str(folder),
    }


def _started(sql: ModuleType, settings: Mapping[str, str]) -> Session:
    builder = sql.SparkSession.builder.appName("graphkit")
    for name, value in settings.items():
        builder = builder.config(name, value)
    errors = import_module("pyspark.errors")
    try:
        started: Session = builder.getOrCreate()
    except (errors.PySparkException, import_module("py4j.protocol").Py4JError) as error:
        raise UsageError(
            f"Spark does not start: {_first_line(error)}",
            where=settings.get("spark.master", "spark-submit"),
            hint="name a master such as local[2] or spark://host:7077",
        ) from error
    return started
