"""Known entries × Snapshot → Changes: what is new, edited, removed or restored, with ids that stay.

Rule: pure. `reconcile` is the only way in; `Known` and the bytes it is stored as are opaque to everyone else.
"""

from monitor.reconcile.additions import additions
from monitor.reconcile.engine import Reconciled, reconcile
from monitor.reconcile.overlap import meets
from monitor.reconcile.policy import ReconcilePolicy
from monitor.reconcile.state import Known, on_page

__all__ = ["Known", "ReconcilePolicy", "Reconciled", "additions", "meets", "on_page", "reconcile"]
