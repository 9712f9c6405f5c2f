"""A stack whose template is reviewed by a snapshot test."""
