"""What the journal keeps of reports: that they were made, and what they hash to."""

from typing import TypeAlias

from fondaco.kernel.event import Command, Event


class NoteReport(Command, frozen=True, gc=False):
    report_id: str
    kind: str
    account_id: str
    assessment_id: str  # "": of an account
    as_of_position: int
    sha256: str  # of the document
    html_sha256: str
    pdf_sha256: str  # "": none could be made
    by: str


class ReportReady(Event, frozen=True, gc=False, tag="reports.report_ready.v1"):
    """A report can be fetched. Its hashes prove that it is still what it was."""

    report_id: str
    kind: str
    account_id: str
    assessment_id: str
    as_of_position: int
    sha256: str
    html_sha256: str
    pdf_sha256: str
    by: str


ReportCommand: TypeAlias = NoteReport
ReportEvent: TypeAlias = ReportReady
