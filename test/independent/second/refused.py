"""The one error of this package: something a peer or a file holds is refused with a code of the specification."""


class Refused(Exception):
    """Carries the code of the refusal, as the specification names it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
