"""A syrupy extension for snapshots of templates that last: hashes and versions are masked."""

from __future__ import annotations

from typing import Any

from syrupy.extensions.json import JSONSnapshotExtension

from cdk_streams.testing._masked_template import masked_template

__all__ = ["TemplateSnapshots"]


class TemplateSnapshots(JSONSnapshotExtension):
    """One JSON file a snapshot of a template, masked as `masked_template` does.

    `snapshot.use_extension(TemplateSnapshots)` in a fixture; compared is an
    `aws_cdk.assertions.Template`, its JSON, or any part of that. An edit of a handler's code or
    another version of aws-cdk-lib does not change such a snapshot; a setting does.
    """

    def serialize(self, data: Any, **options: Any) -> str:
        """Return the text of the snapshot: the masked JSON, indented, keys in order."""
        template = data.to_json() if hasattr(data, "to_json") else data
        return str(super().serialize(masked_template(template), **options))
