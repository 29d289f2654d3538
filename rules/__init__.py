"""The built-in rules, installed as the package shapelint_rules: see README.md in this folder."""
