"""Pure rules: values in, values out. They know no vendor, no file and no clock."""
