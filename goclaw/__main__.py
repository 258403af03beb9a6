"""`python -m goclaw` and the script `goclaw`."""

from goclaw.cli.main import app

if __name__ == "__main__":
    app()
