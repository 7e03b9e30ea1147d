// The slider of the start page moves the border between before and after. Without scripts both halves stay in sight.
document.querySelectorAll(".slider input").forEach((range) => {
  range.addEventListener("input", () => range.parentElement.style.setProperty("--at", `${range.value}%`));
});
