#!/usr/bin/python3
"""Writes the folder of a log that the description on standard input tells, with the second implementation beside this file.

Usage: write_log.py FOLDER < {"size": N, "successions": [{"index", "epoch", "signer", ...}], "seals": [{"size", "epoch"}]}
"""

import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from second.author import Seal, Succession, write_log

if __name__ == "__main__":
    told = json.load(sys.stdin)
    successions = [Succession(**succession) for succession in told["successions"]]
    write_log(Path(sys.argv[1]), told["size"], successions, [Seal(**seal) for seal in told["seals"]])
