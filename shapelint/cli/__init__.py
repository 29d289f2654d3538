"""The command line: a thin door to the jobs and the reports."""
