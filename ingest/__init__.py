"""From folders of files to pieces in a store."""
