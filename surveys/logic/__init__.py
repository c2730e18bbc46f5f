"""ODK's form logic: XPath with ODK's functions, computed over one interview's instance."""
