"""Small trees of Terraform, and what the checks say of them."""

from pathlib import Path

from deploy.infrastructure.schema import load
from deploy.infrastructure.terraform import check_terraform

SCHEMA = load()


def findings(root: Path, **files: str) -> list[str]:
    """Write files, named by their folder in ``terraform``, and return what is found in them."""
    for folder, text in files.items():
        file = root / "terraform" / folder / "main.tf"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return [str(each) for each in check_terraform(root / "terraform", root, SCHEMA).findings]
