"""Reports: statistics over the shop's own data, as tables, files and pictures.

Brings numpy, scipy and matplotlib, so nothing that serves customers imports it.
"""
