"""What the Rasa components share: a fingerprint that changes whenever the code behind them does."""

import hashlib
from pathlib import Path

# The message's property that holds its text as the encoder read it (see SentenceEncoderModel.read).
READ_TEXT = "read_text"
# The property that hands the encoder on to later components; only while serving, and never part of the output.
ENCODER = "sentence_encoder"


def code_fingerprint() -> str:
    """Return a digest of this package's source.

    Rasa reuses a trained component while its class and data stay the same, and would miss a change in the plain-Python
    models that the class calls.
    """
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
