"""What came of test calls: for people a page that needs nothing beside it, and for programs JUnit XML."""
