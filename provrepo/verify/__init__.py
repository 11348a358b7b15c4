"""What others can verify without a repository: receipts, checkpoints, and the trees behind them.

``provrepo.verify.receipt`` verifies a receipt offline. This package needs ``cryptography`` and the standard library.
"""

from provrepo.verify.receipts import ReceiptResult, receipt

__all__ = ["ReceiptResult", "receipt"]
