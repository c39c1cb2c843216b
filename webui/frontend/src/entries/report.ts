/** The pages of regional reports: their own styles, on paper too. */
import "../styles/report.css";
