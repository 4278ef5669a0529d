"""A visit in writing (图文): no line and no call; the family writes, the doctor answers within the policy's hours."""
