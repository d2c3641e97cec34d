namespace ResearchKit.Formatting;

/// <summary>A cell of a table whose shade shows its value, so that the table is a heat map with numbers.</summary>
internal static class ShadedCell
{
    private const double Strongest = 60;   // per cent of the color

    /// <summary>Draws a cell.</summary>
    /// <param name="text">What it says.</param>
    /// <param name="share">0 for no shade to 1 for the strongest.</param>
    public static Html Draw(string text, double share)
    {
        var shade = Strongest * Math.Clamp(double.IsNaN(share) ? 0 : share, 0, 1);
        return Html.Of($"<td class=\"rk-right\" style=\"background:color-mix(in srgb,#d6455d "
            + $"{shade:0.#}%,transparent)\">{text}</td>");
    }
}
