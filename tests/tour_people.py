"""The tour of a laptop that people share: signing in, and the centre's page."""

from pathlib import Path
from typing import Any


def shared(tour: Any, folder: Path) -> None:
    """Show a laptop where people sign in, and the centre's page."""
    from tests.gui.fake_desk import FakeDesk, fill
    from tests.gui.shared_desk import busy_centre, people

    desk = FakeDesk(folder / "data")
    with tour.opened(desk) as window:
        window.open_place(3)
        tour.grab("centre-none")
    fill(desk.db)
    people(desk)
    desk.db.close()
    desk = FakeDesk(folder / "data")
    desk.settings.set("centre.url", busy_centre(folder / "centre"))
    with tour.opened(desk):
        signed_in(tour, desk)
        centre_page(tour, desk, folder)
    desk.db.close()


def signed_in(tour: Any, desk: Any) -> None:
    """Sign in with a wrong password, as an agent, then as a verifier."""
    from tests.gui.shared_desk import PASSWORD

    window = tour.window
    tour.grab("sign-in")

    def enter(name: str, password: str) -> None:
        page = window.stack.currentWidget()
        page.name.setText(name)
        page.password.setText(password)
        page.go.click()
        tour.until(lambda: window.stack.currentWidget() is not page or page.go.isEnabled())

    enter("vera", "wrong password")
    tour.grab("sign-in-refused")
    enter("carl", PASSWORD)
    window.open_place(2)
    tour.grab("agent-settings")
    window.open_place(0)
    tour.settle(1.0)
    tour.until(lambda: window.pages.queue.detail is not None)
    tour.grab("agent-jobs")
    window.bar.lock.click()
    tour.until(lambda: desk.locked and not window.rail.isVisible())
    enter("vera", PASSWORD)


def centre_page(tour: Any, desk: Any, folder: Path) -> None:
    """Show what the centre holds, and that it does not answer."""
    window = tour.window
    window.open_place(3)
    tour.until(lambda: window.pages.centre.standing is not None)
    tour.grab("centre")
    desk.settings.set("centre.url", f"sqlite:///{folder}/absent.sqlite")
    window.pages.centre.forget()
    window.stack.currentWidget().opened()
    tour.until(lambda: window.pages.centre.error is not None)
    tour.grab("centre-silent")
