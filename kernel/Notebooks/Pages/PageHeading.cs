namespace ResearchKit.Kernel.Notebooks.Pages;

/// <summary>A heading of the page.</summary>
/// <param name="Level">1 to 6.</param>
/// <param name="Text">Its text.</param>
/// <param name="Anchor">Its id.</param>
internal sealed record PageHeading(int Level, string Text, string Anchor);
