"""What every server of this program needs: sockets, limits, and ending."""
