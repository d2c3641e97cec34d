namespace ResearchKit.Kernel.Notebooks.Pages;

/// <summary>A heading of the page.</summary>
/// <param name="Level">The heading level, from 1 to 6.</param>
/// <param name="Text">The text of the heading.</param>
/// <param name="Anchor">The id of the heading in the page.</param>
internal sealed record PageHeading(int Level, string Text, string Anchor);
