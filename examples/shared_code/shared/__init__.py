"""What more than one handler imports."""
