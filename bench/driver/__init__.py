# SPDX-License-Identifier: MIT
"""The bench's driver: builds programs, runs them side by side, keeps the figures."""
