"""Lay out ESC-50 or ESC-10 as a folder of recordings: python workflow/scripts/convert_esc50.py --help"""

import argparse
import sys
from pathlib import Path

from channel_sparsity.data.esc50 import convert
from channel_sparsity.files import StudyError

LICENCES = {
    False: "ESC-50 is under CC BY-NC 3.0: for non-commercial use, with attribution",
    True: "ESC-10 is under CC BY: free to use with attribution",
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Lay out ESC-50 as a folder with audio/ (links) and meta.csv.")
    parser.add_argument("source", type=Path, help="ESC-50 as published: a folder with meta/esc50.csv and audio/")
    parser.add_argument("target", type=Path, help="the folder to make")
    parser.add_argument("--esc10", action="store_true", help="only the ten classes of ESC-10")
    given = parser.parse_args()
    try:
        count = convert(given.source, given.target, given.esc10)
    except StudyError as error:
        sys.exit(f"error: {error}")
    print(f"{given.target}: {count:,} clips, linked to {given.source.resolve() / 'audio'}, which has to stay there")
    print(f"{LICENCES[given.esc10]} (K. J. Piczak 2015; each clip's author is in {given.source / 'LICENSE'})")
