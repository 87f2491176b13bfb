"""The verbs that portal, API and command line share: one function, one transaction, one audit entry."""
