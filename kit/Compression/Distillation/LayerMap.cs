using ResearchKit.Tensors;

namespace ResearchKit.Compression;

/// <summary>Which layer of the teacher each layer of the student imitates.</summary>
/// <param name="Pairs">Numbers of layers, from 0.</param>
public sealed record LayerMap(IReadOnlyList<(int Student, int Teacher)> Pairs)
{
    /// <summary>
    /// Layers at equal distances: the last layer of the student imitates the last of the teacher, and of half as many layers each
    /// imitates the second of a pair.
    /// </summary>
    /// <remarks>Jiao et al., TinyBERT, 2020, https://arxiv.org/abs/1909.10351.</remarks>
    /// <param name="student">Layers of the student.</param>
    /// <param name="teacher">Layers of the teacher, at least as many.</param>
    /// <exception cref="ArgumentException">A number is below 1, or the student has more layers.</exception>
    public static LayerMap Even(int student, int teacher)
    {
        Require.AtLeast(1, student);
        Require.That(teacher >= student, teacher, nameof(teacher), $"at least the student's {student} layers");
        return new([.. Enumerable.Range(0, student).Select(layer => (layer, ((layer + 1) * teacher / student) - 1))]);
    }

    /// <summary>The last layers alone.</summary>
    /// <param name="student">Layers of the student.</param>
    /// <param name="teacher">Layers of the teacher.</param>
    public static LayerMap Last(int student, int teacher) => new([(student - 1, teacher - 1)]);

    /// <summary>The layers that a student kept: layer i imitates the given layer.</summary>
    /// <param name="teacher">Numbers of the teacher's layers, one for each of the student's.</param>
    public static LayerMap Of(params IReadOnlyList<int> teacher) => new([.. teacher.Select((layer, number) => (number, layer))]);

    /// <summary>Throws if a layer does not exist.</summary>
    internal LayerMap Checked(int student, int teacher)
    {
        foreach (var (own, other) in Pairs)
        {
            Require.That(own >= 0 && own < student, own, "the student's layer", $"0 to {student - 1}");
            Require.That(other >= 0 && other < teacher, other, "the teacher's layer", $"0 to {teacher - 1}");
        }
        return this;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Join(", ", Pairs.Select(pair => $"{pair.Student} ← {pair.Teacher}"));
}
