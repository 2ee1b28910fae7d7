"""One of many processes that refund at the same moment: a line of JSON says what, a line of JSON says how it went.

Run as a program: `refund_worker.py SEED ATTEMPTS NAME FILE`; it reads the payments from a file and starts at once.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from pathlib import Path

from refund_payment import refund_payment
from tillbook.kit.errors import TillbookError
from tillbook.till import open_till


def main() -> None:
    """Try mixed amounts on payments of 10.00 each, every attempt under a reference of its own."""
    seed, attempts, name = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    payments: list[str] = json.loads(Path(sys.argv[4]).read_text())
    dice = random.Random(f"{seed} {name}")
    ended: Counter[str] = Counter()
    till = open_till()
    try:
        for number in range(attempts):
            amount = dice.choice(("0.01", "1.00", "2.50", "3.33", "5.00", "9.99", "10.00", ""))
            try:
                refund_payment(dice.choice(payments), till=till, amount=amount, reference=f"{name}-{number}")
                ended["done"] += 1
            except TillbookError as error:
                ended[str(error.exit_code)] += 1
    finally:
        till.close()
    sys.stdout.write(json.dumps(ended))


if __name__ == "__main__":
    main()
