"""The course's library: one tested form of everything that the notebooks derive.

Modules stand in the order of the course, and each imports only from those before it.
"""
