"""A dataset of a view, as the follower sees it."""

from __future__ import annotations

from dataclasses import dataclass

from provrepo.views.view import Change, View

__all__ = ["ViewDataset", "view_name"]


@dataclass(slots=True, eq=False)
class ViewDataset:
    """A dataset of a view, with the sequence number of the last entry of one project that it has applied."""

    view: View
    dataset: str
    position: int

    @property
    def name(self) -> str:
        """The name of the view in messages."""
        return view_name(self.view)

    def apply(self, change: Change) -> None:
        """Apply an entry of the project, the next one."""
        self.view.apply(self.dataset, change)
        self.position = change.sequence


def view_name(view: View) -> str:
    """Return the name of a view in messages."""
    return type(view).__name__.lower()
