"""What is asked of this machine and its disks."""
