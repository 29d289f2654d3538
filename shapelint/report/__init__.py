"""Reports as text: each form is a pure function of the reports, in a module of its own."""
