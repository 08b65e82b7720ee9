"""What server and trainer must agree on: manifest, job, bundle and the one preprocessing.

May import the standard library, pydantic, numpy and Pillow only; imports nothing by itself, so that
each side pays for what it uses.
"""
