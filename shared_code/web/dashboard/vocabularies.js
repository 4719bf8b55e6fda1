// Names of shared_code/domain/vocabularies.py, in the order in which filters offer them.

export const METHODS = [
  "credit_card",
  "debit_card",
  "bank_transfer",
  "digital_wallet",
  "cryptocurrency",
  "cash_equivalent",
];

export const STATUSES = ["completed", "failed", "pending", "cancelled", "refunded"];

export const SEVERITIES = ["critical", "high", "medium", "low", "info"];
