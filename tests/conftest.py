"""What every test stands on: pytest's own tester for the plugin."""

pytest_plugins = ["pytester"]
