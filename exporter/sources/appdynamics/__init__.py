"""What the AppDynamics controller's API says, and how it is asked: for the source of kind `appdynamics`."""
