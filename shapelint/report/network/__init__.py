"""The picture of the network: an hourglass of its layers, with what is lost where."""
