"""The checker: judges one run by what each party wrote down, and never by the worker's word.

It is independent on purpose: the standard library and `faults.evidence`, nothing of pop-stream.
A mistake that the worker and its checker shared would be seen by nobody.
"""
