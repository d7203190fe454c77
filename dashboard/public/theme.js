// Applies the chosen theme before the first paint. A file of its own, so that a content security policy need not allow inline scripts.
(function () {
  try {
    var choice = localStorage.getItem("wattwitness.theme");
    if (choice === "light" || choice === "dark") document.documentElement.dataset.theme = choice;
  } catch {
    // A browser that keeps nothing follows the system.
  }
})();
