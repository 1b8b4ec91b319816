"""The scopes of all seeds as one rule: in scope is what any seed's scope takes in, left out what any of them excludes."""
