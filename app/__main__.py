"""Start the program: the window without arguments, the command line with."""

import sys


def main() -> int:
    """Show the window, or run the command; heavy packages are imported when they are needed."""
    arguments = sys.argv[1:]
    if arguments:
        from app.cli import main as command_line
        from app.cli import wants_window

        if not wants_window(arguments):
            return command_line(arguments)
    from app.main import show_window

    return show_window(arguments)


if __name__ == "__main__":
    sys.exit(main())
