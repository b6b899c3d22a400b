"""The conformance kit: what every engine and provider must do, as classes to inherit.

An engine's own test file is a subclass per protocol with one method, ``open``. This package
imports pytest and hypothesis; nothing that runs in production imports it.
"""
