"""`python -m scientist` is the `scientist` command."""

from scientist.cli import main

if __name__ == "__main__":
    main()
