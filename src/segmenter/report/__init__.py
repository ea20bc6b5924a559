"""What a launch leaves behind: lists, call sheets, report, manifest."""
