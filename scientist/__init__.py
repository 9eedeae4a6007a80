"""An AI scientist whose papers can be checked.

One room per stage; `scientist.loop` is the only module that knows them all:

lab -> template, literature -> ideas -> experiments (search) -> papers -> reviews -> loop -> cli
"""

__version__ = "0.1.0"
