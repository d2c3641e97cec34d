using ResearchKit.Layers;
using static TorchSharp.torch;

namespace ResearchKit.Interpretability;

/// <summary>Edits activations of a model as long as a scope lives.</summary>
public static class Editing
{
    /// <summary>Edits the activations of some places in every forward pass, until the result is disposed.</summary>
    /// <example><code>
    /// using (model.Edit("h.1.attn.hook_z", Edit.Zero with { Heads = [3] }))
    ///     logits = model.call(tokens);
    /// </code></example>
    /// <remarks>
    /// Edits of one place are applied in the order in which they were made, and recordings that begin later see the edited
    /// activation.
    /// </remarks>
    /// <param name="model">Any model; its named modules are the places.</param>
    /// <param name="place">
    /// Name of a hook point or of another module, whose output is edited, or a pattern such as <c>h.*.hook_mlp_out</c>.
    /// </param>
    /// <param name="edit">What is done to the activation.</param>
    /// <returns>Removes the edit when it is disposed.</returns>
    /// <exception cref="KeyNotFoundException">There is no such place; the message lists the nearest names.</exception>
    /// <exception cref="InvalidOperationException">The model is packed for inference.</exception>
    public static IDisposable Edit(this nn.Module model, string place, Edit edit) => model.Edit([(place, edit)]);

    /// <summary>Makes several edits in every forward pass, until the result is disposed.</summary>
    /// <inheritdoc cref="Edit(nn.Module, string, Edit)"/>
    /// <param name="model">Any model; its named modules are the places.</param>
    /// <param name="edits">Names or patterns of places, and what is done there.</param>
    public static IDisposable Edit(this nn.Module model, IEnumerable<(string Place, Edit Edit)> edits)
    {
        Packing.Refuse(model, "edited");
        var found = edits.SelectMany(pair => Places.Matching(model, [pair.Place]).Select(place => (place, pair.Edit))).ToList();
        return new EditScope([.. found.Select(pair => pair.place.Module
            .register_forward_hook((_, _, output) => pair.Edit.On(pair.place.Name, output)))
            .Select(hook => (Action)hook.remove)]);
    }

    private sealed class EditScope(List<Action> removals) : IDisposable
    {
        public void Dispose()
        {
            foreach (var remove in removals) remove();
            removals.Clear();
        }
    }
}
